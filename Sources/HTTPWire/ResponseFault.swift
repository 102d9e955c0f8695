/// What an application passed that cannot be sent. It is the application's fault, not the client's, and says nothing of
/// the value: that may be a secret.
public enum ResponseFault: String, Error, CaseIterable, Sendable {
    /// Neither `ddd` nor `ddd reason`, below 100, or with a control character. RFC 9112 §4.
    case invalidStatus = "invalid-status"
    /// The field name is no token. RFC 9110 §5.1.
    case invalidFieldName = "invalid-field-name"
    /// A control character in a field value. RFC 9110 §5.5.
    case invalidFieldValue = "invalid-field-value"
    /// Content-Length is not one run of digits, or too large a number. RFC 9110 §8.6.
    case invalidContentLength = "invalid-content-length"
    /// More than one Content-Length field. RFC 9110 §8.6.
    case duplicateContentLength = "duplicate-content-length"
    /// A 1xx status where a final response is due. RFC 9110 §15.2.
    case interimStatus = "interim-status"
    /// Status line and fields together exceed ``ResponseHeadWriter/headSizeLimit``.
    case headTooLarge = "head-too-large"
}

/// Which field tells the client where the body ends. RFC 9112 §6.
public enum ResponseFraming: Equatable, Sendable {
    /// The application's Content-Length if it gave one.
    case asIs
    /// Bytes of the body, in place of whatever the application said.
    case contentLength(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
    /// No field: the body ends with the connection, or there is none.
    case none
}

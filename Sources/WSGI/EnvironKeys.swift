internal import PythonBridge

/// Environ keys, made once: `str` objects that are interned and know their hash.
struct EnvironKeys {
    let requestMethod, requestURI, scriptName, pathInfo, queryString, serverProtocol: PyPointer
    let serverName, serverPort, remoteAddress, remotePort: PyPointer
    let proxyProtocol, proxyAddress, proxyPort: PyPointer
    let urlScheme, input, contentLength, host: PyPointer
    let earlyHints, clientDisconnected, socket: PyPointer

    init(_ gil: borrowing GIL) throws(PythonError) {
        requestMethod = try gil.interned("REQUEST_METHOD").leak()
        requestURI = try gil.interned("RAW_URI").leak()
        scriptName = try gil.interned("SCRIPT_NAME").leak()
        pathInfo = try gil.interned("PATH_INFO").leak()
        queryString = try gil.interned("QUERY_STRING").leak()
        serverProtocol = try gil.interned("SERVER_PROTOCOL").leak()
        serverName = try gil.interned("SERVER_NAME").leak()
        serverPort = try gil.interned("SERVER_PORT").leak()
        remoteAddress = try gil.interned("REMOTE_ADDR").leak()
        remotePort = try gil.interned("REMOTE_PORT").leak()
        proxyProtocol = try gil.interned("PROXY_PROTOCOL").leak()
        proxyAddress = try gil.interned("PROXY_ADDR").leak()
        proxyPort = try gil.interned("PROXY_PORT").leak()
        urlScheme = try gil.interned("wsgi.url_scheme").leak()
        input = try gil.interned("wsgi.input").leak()
        contentLength = try gil.interned("CONTENT_LENGTH").leak()
        host = try gil.interned("HTTP_HOST").leak()
        earlyHints = try gil.interned("wsgi.early_hints").leak()
        clientDisconnected = try gil.interned("monoceros.client_disconnected").leak()
        socket = try gil.interned("gunicorn.socket").leak()
    }
}

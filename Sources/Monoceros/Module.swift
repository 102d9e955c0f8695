public import PythonBridge

@c(PyInit__native) public func moduleInit() -> PyPointer? {
    return nil
}

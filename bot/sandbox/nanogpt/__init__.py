"""A local stand-in for NanoGPT's Characters and Responses APIs, over real sockets on 127.0.0.1."""

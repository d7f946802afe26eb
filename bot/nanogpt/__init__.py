"""A client of the NanoGPT API that knows nothing of Discord."""

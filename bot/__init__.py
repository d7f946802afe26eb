"""NanoGPT's catalogue of AI characters, in Discord."""

__version__ = "0.1.0"

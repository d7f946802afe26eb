"""A local stand-in for Discord and for NanoGPT; imports nothing of the bot."""

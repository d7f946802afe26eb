"""Everything of discord.py that is neither a command nor a component."""

"""The demo in a browser: a thin view over the stand-ins' own state, and the levers that trouble the bot."""

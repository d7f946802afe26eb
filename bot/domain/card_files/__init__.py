"""Character cards as files: V1, V2 and V3 in PNG, JSON and CHARX, read without trusting them, and written.

The cards that Discord shows are another thing: bot/domain/cards.py.
"""

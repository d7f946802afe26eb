"""The use cases: each fetches what a decision needs, asks the domain, and does what it says."""

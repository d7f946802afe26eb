"""Builders of the parts that the composition root puts together; nothing else imports them."""

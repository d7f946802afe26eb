-- The newest message of a conversation whose claim was pruned, 0 before that: what is older was heard, though nothing
-- else is known of it any more.

ALTER TABLE conversation ADD COLUMN heard_until BIGINT NOT NULL DEFAULT 0;

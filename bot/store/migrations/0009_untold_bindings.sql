-- Whether a channel is still to be told who speaks there and that an AI service reads along: a stop may come before that.

ALTER TABLE binding ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;

-- What is stored of a character now holds the catalogue's rating and the author's apart. Rows from before have
-- neither, which counts as explicit (3); without a time they are read again before their character speaks next.

UPDATE character SET rating = 3, checked_at = NULL;

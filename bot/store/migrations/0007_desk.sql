-- What authors have on their desks: drafts, the files that characters were made from, and what is with the
-- moderators. Sealed columns (named body) hold the vault's bytes, as in 0001.

CREATE TABLE draft (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('create', 'edit', 'publish')),
    character_ref BIGINT REFERENCES character (ref),
    body BLOB,
    touched_at BIGINT NOT NULL
);
CREATE INDEX draft_by_user ON draft (user_id, touched_at);
CREATE INDEX draft_by_age ON draft (touched_at);

-- The files themselves lie beside the database, each under a key of its own, which is sealed here: without its row a
-- file cannot be opened any more. A file belongs to a draft, and from its saving on to a character.
CREATE TABLE card_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL,
    draft_id BIGINT REFERENCES draft (id) ON DELETE CASCADE,
    character_ref BIGINT REFERENCES character (ref),
    file TEXT NOT NULL UNIQUE,
    size BIGINT NOT NULL,
    body BLOB,
    created_at BIGINT NOT NULL
);
CREATE INDEX card_file_by_user ON card_file (user_id, character_ref);
CREATE INDEX card_file_by_draft ON card_file (draft_id);

-- body is what its author has yet to hear; due_at is NULL once there is nothing more to watch.
CREATE TABLE moderation_watch (
    user_id BIGINT NOT NULL,
    character_ref BIGINT NOT NULL REFERENCES character (ref),
    tell INTEGER NOT NULL,
    status TEXT,
    since BIGINT NOT NULL,
    looks INTEGER NOT NULL,
    due_at BIGINT,
    body BLOB,
    PRIMARY KEY (user_id, character_ref)
);
CREATE INDEX moderation_watch_due ON moderation_watch (due_at);

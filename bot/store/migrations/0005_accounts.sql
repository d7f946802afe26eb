-- Keys beside the operator's: those that members and servers have added, and what hangs on them. Sealed columns
-- (named body or token) hold the vault's bytes, as in 0001.

CREATE TABLE linked_account (
    user_id BIGINT PRIMARY KEY,
    token BLOB NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('device', 'pasted')),
    linked_at BIGINT NOT NULL,
    refused_at BIGINT
);

CREATE TABLE pending_login (
    user_id BIGINT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'ended')),
    token BLOB,
    outcome TEXT,
    started_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    answer_until BIGINT NOT NULL
);

CREATE TABLE server_settings (
    guild_id BIGINT PRIMARY KEY,
    manager_role_id BIGINT,
    rating_max INTEGER,
    log_channel_id BIGINT,
    own_characters INTEGER NOT NULL,
    token BLOB,
    token_set_at BIGINT
);

-- What a member's key sees of a character that is not for everybody. The row in character then holds no more than
-- its id.
CREATE TABLE own_character (
    user_id BIGINT NOT NULL,
    character_ref BIGINT NOT NULL REFERENCES character (ref),
    body BLOB NOT NULL,
    seen_at BIGINT NOT NULL,
    checked_at BIGINT,
    gone_at BIGINT,
    PRIMARY KEY (user_id, character_ref)
);

-- The replies that a member may pay for in one channel a day; NULL where nobody's own money is spent.
ALTER TABLE binding ADD COLUMN daily_turns INTEGER;
CREATE INDEX binding_by_payer ON binding (payer) WHERE state <> 'ended';

CREATE TABLE paid_turns (
    binding_id BIGINT NOT NULL REFERENCES binding (id) ON DELETE CASCADE,
    payer TEXT NOT NULL,
    day BIGINT NOT NULL,
    turns INTEGER NOT NULL,
    PRIMARY KEY (binding_id, payer, day)
);

-- The shape everything stands on. Ids of Discord are BIGINT; times are Unix milliseconds; sealed columns
-- (named body or token) hold the vault's bytes and are NULL once their text was dropped. Numbers that buttons
-- carry are AUTOINCREMENT: without it the id of a deleted row would be given again, and an old button would act
-- on something else.

CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE guild (
    id BIGINT PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    left_at BIGINT
);

CREATE TABLE character (
    ref INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    slug TEXT,
    facts TEXT NOT NULL,
    rating INTEGER NOT NULL,
    seen_at BIGINT NOT NULL,
    checked_at BIGINT,
    gone_at BIGINT
);
CREATE INDEX character_by_slug ON character (LOWER(slug));

CREATE TABLE binding (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    character_ref BIGINT NOT NULL REFERENCES character (ref),
    trigger_mode TEXT NOT NULL CHECK (trigger_mode IN ('every', 'mention')),
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'ended')),
    pause_cause TEXT,
    bound_by BIGINT NOT NULL,
    payer TEXT NOT NULL,
    active_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX binding_live ON binding (channel_id, character_ref) WHERE state <> 'ended';
CREATE INDEX binding_by_guild ON binding (guild_id);

CREATE TABLE conversation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    binding_id BIGINT NOT NULL REFERENCES binding (id) ON DELETE CASCADE,
    scope TEXT NOT NULL CHECK (scope IN ('room', 'thread', 'person')),
    scope_id BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    starts_after BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (binding_id, scope, scope_id)
);
CREATE INDEX conversation_by_scope ON conversation (scope_id);

CREATE TABLE turn (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id BIGINT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('reply', 'greeting')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'answered', 'failed', 'dropped')),
    cause TEXT,
    payer TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT
);
CREATE UNIQUE INDEX turn_running ON turn (conversation_id) WHERE state = 'running' AND kind = 'reply';
CREATE INDEX turn_by_conversation ON turn (conversation_id, id);
CREATE INDEX turn_by_age ON turn (created_at);
CREATE INDEX turn_open ON turn (state, conversation_id) WHERE state IN ('waiting', 'running');
CREATE INDEX turn_greeting ON turn (kind, conversation_id) WHERE kind = 'greeting';

CREATE TABLE claim (
    message_id BIGINT PRIMARY KEY,
    conversation_id BIGINT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    author_id BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'answered', 'failed', 'dropped')),
    cause TEXT,
    turn_id BIGINT REFERENCES turn (id) ON DELETE SET NULL,
    body BLOB,
    claimed_at BIGINT NOT NULL
);
CREATE INDEX claim_waiting ON claim (state, conversation_id, message_id) WHERE state = 'waiting';
CREATE INDEX claim_by_conversation ON claim (conversation_id, message_id);
CREATE INDEX claim_by_turn ON claim (turn_id);
CREATE INDEX claim_by_author ON claim (author_id, claimed_at);
CREATE INDEX claim_by_guild ON claim (guild_id, claimed_at);
CREATE INDEX claim_by_channel ON claim (channel_id, message_id);

CREATE TABLE version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id BIGINT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('writing', 'complete', 'partial')),
    body BLOB,
    upstream_id TEXT,
    model TEXT,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cost_usd TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (turn_id, number)
);
CREATE INDEX version_text ON version (created_at) WHERE body IS NOT NULL;

CREATE TABLE post (
    id INTEGER PRIMARY KEY,
    turn_id BIGINT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('reply', 'mark')),
    number INTEGER NOT NULL,
    channel_id BIGINT NOT NULL,
    thread_id BIGINT,
    transport TEXT NOT NULL CHECK (transport IN ('webhook', 'bot')),
    state TEXT NOT NULL CHECK (state IN ('intended', 'posted', 'deleted')),
    intended_at BIGINT NOT NULL,
    message_id BIGINT UNIQUE,
    UNIQUE (turn_id, kind, number)
);
CREATE INDEX post_intended ON post (channel_id) WHERE state = 'intended';

CREATE TABLE notice (
    channel_id BIGINT NOT NULL,
    cause TEXT NOT NULL,
    posted_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, cause)
);

CREATE TABLE webhook (
    channel_id BIGINT PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    token BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE ignored_member (
    user_id BIGINT PRIMARY KEY,
    since BIGINT NOT NULL
);

CREATE TABLE rating (
    user_id BIGINT NOT NULL,
    character_ref BIGINT NOT NULL REFERENCES character (ref),
    stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    body BLOB,
    guild_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    published_at BIGINT,
    PRIMARY KEY (user_id, character_ref)
);
CREATE INDEX rating_by_character ON rating (character_ref, guild_id);
CREATE INDEX rating_by_guild ON rating (guild_id);

CREATE TABLE report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reporter_id BIGINT NOT NULL,
    character_ref BIGINT NOT NULL REFERENCES character (ref),
    guild_id BIGINT,
    channel_id BIGINT,
    message_id BIGINT,
    reason TEXT NOT NULL,
    body BLOB,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'refused', 'expired')),
    answer TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    told_at BIGINT
);
CREATE INDEX report_by_reporter ON report (reporter_id);
CREATE INDEX report_by_guild ON report (guild_id);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payer TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE search_page (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL,
    query TEXT NOT NULL,
    cursors TEXT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX search_page_by_age ON search_page (used_at);
CREATE INDEX search_page_by_user ON search_page (user_id);

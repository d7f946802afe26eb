-- Ratings that were to be their members' reviews in the catalogue, and are not: why, and in which words.

CREATE TABLE refused_review (
    user_id BIGINT NOT NULL,
    character_ref BIGINT NOT NULL,
    cause TEXT NOT NULL,
    body BLOB,
    refused_at BIGINT NOT NULL,
    told_at BIGINT,
    PRIMARY KEY (user_id, character_ref),
    FOREIGN KEY (user_id, character_ref) REFERENCES rating (user_id, character_ref) ON DELETE CASCADE
);

-- Who reads a report: the catalogue, or the staff of the server alone; and whether the staff may read who reported,
-- and the details.
ALTER TABLE report ADD COLUMN addressee TEXT NOT NULL DEFAULT 'catalogue' CHECK (addressee IN ('catalogue', 'staff'));
ALTER TABLE report ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;

-- Who is heard again keeps a row for a while: what they wrote while they were ignored stays unheard, also when a
-- catch-up meets it later. NULL while a member is ignored.

ALTER TABLE ignored_member ADD COLUMN heard_after BIGINT;

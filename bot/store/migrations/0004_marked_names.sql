-- Whether somebody of the server goes by the character's name, so that it is marked there from then on.

ALTER TABLE binding ADD COLUMN name_marked INTEGER NOT NULL DEFAULT 0;

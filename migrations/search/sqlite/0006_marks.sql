-- +goose Up

-- What ranking needs to know of a listing's words beyond which there are. The index is built
-- again by itself, since its analyser is another one now.
ALTER TABLE listings_a ADD COLUMN marks BLOB NOT NULL DEFAULT X''; -- how often description and attributes have each word of the title
ALTER TABLE listings_a ADD COLUMN body INTEGER NOT NULL DEFAULT 0; -- words of description and attributes
ALTER TABLE listings_b ADD COLUMN marks BLOB NOT NULL DEFAULT X'';
ALTER TABLE listings_b ADD COLUMN body INTEGER NOT NULL DEFAULT 0;

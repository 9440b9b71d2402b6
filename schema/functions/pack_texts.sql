-- Hashes by which headlines and fragments are unique.

-- SHA-256, in hex, of the text in NFC with white space collapsed to single spaces. Bulk writers send it
-- themselves. The default, which no row can keep, tells the API that clients may omit it.
create or replace function spark.text_hash(value text) returns text
language sql immutable strict parallel safe
return encode(sha256(convert_to(normalize(btrim(regexp_replace(value, '\s+', ' ', 'g')), NFC), 'UTF8')), 'hex');

create or replace function spark.hash_headline() returns trigger
language plpgsql as $$
begin
    new.text_hash := spark.text_hash(new.final_title_text);
    return new;
end
$$;

create or replace function spark.hash_fragment() returns trigger
language plpgsql as $$
begin
    new.content_hash := spark.text_hash(new.content_body);
    return new;
end
$$;

-- Near-duplicates.

-- A changed text, or changed values to mask in it, invalidates the signature.
create or replace function spark.forget_signature() returns trigger
language plpgsql as $$
begin
    delete from spark.article_signatures where site_id = old.site_id and article_id = old.id;
    return null;
end
$$;

create or replace function spark.forget_signatures_of_campaign() returns trigger
language plpgsql as $$
begin
    delete from spark.article_signatures s
     using generated_articles a
     where a.campaign_site_id = old.site_id and a.campaign_id = old.id
       and s.site_id = a.site_id and s.article_id = a.id;
    return null;
end
$$;

-- For the quality gate: whether an editor has yet to decide on a pair that is too similar.
create or replace function spark.duplicate_blocks(site uuid, article uuid) returns boolean
language sql stable
return exists (select from quality_flags f
                where f.site_id = site and f.article_a = article and f.status = 'pending' and f.verdict = 'block')
    or exists (select from quality_flags f
                where f.site_id = site and f.article_b = article and f.status = 'pending' and f.verdict = 'block');

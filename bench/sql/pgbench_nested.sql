-- What a list of 25 topics with their notes and marks asks of PostgreSQL: three statements, without a server.
\set n random(:first, :topics)
\set site random(1, :sites)
select array_agg(id) as ids
  from (select id, title from topics
         where site_id = ('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid
           and published_at < timestamptz '2023-01-01 00:00:00+00' + :n::int * interval '10 minutes'
         order by published_at desc limit 25) topic
\gset
select parent.place, id, body
  from unnest((select :ids::uuid[])) with ordinality parent (key, place),
       lateral (select id, body from topic_notes
                 where site_id = ('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid
                   and topic = parent.key order by id limit 100) note
 order by parent.place;
select parent.place, id, name
  from unnest((select :ids::uuid[])) with ordinality parent (key, place),
       lateral (select id, name from topic_marks
                 where site_id = ('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid
                   and topic = parent.key order by id limit 100) mark
 order by parent.place;

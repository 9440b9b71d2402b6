-- A submission knows what came of it, so that the same form sent twice is answered alike; and events
-- get a staging table, as page views have one.

set local client_min_messages = warning;
set local role spark_owner;

alter table form_submissions
    add column lead_id uuid,
    add column conversion_id uuid,
    add foreign key (site_id, lead_id) references leads (site_id, id) on delete set null (lead_id);
create index form_submissions_lead on form_submissions (site_id, lead_id) where lead_id is not null;

create unlogged table spark.load_events (like events including defaults)
    with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
grant select, insert, delete on spark.load_events to spark_platform;

-- Not as spark_owner: in an opened Directus database these tables belong to another owner.
reset role;
insert into directus_relations (many_collection, many_field, one_collection, one_field)
select 'form_submissions', 'lead_id', 'leads', 'submissions'
 where not exists (select from directus_relations where many_collection = 'form_submissions' and many_field = 'lead_id');
insert into directus_fields (collection, field, special, interface, readonly, hidden, sort, width)
select f.*
  from (values ('form_submissions', 'lead_id', 'm2o', 'select-dropdown-m2o', true, false, 16, 'half'),
               ('form_submissions', 'conversion_id', null, 'input', true, false, 17, 'half'),
               ('leads', 'submissions', 'o2m', 'list-o2m', false, false, 101, 'full'))
    as f (collection, field, special, interface, readonly, hidden, sort, width)
 where not exists (select from directus_fields d where d.collection = f.collection and d.field = f.field);

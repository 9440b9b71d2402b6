-- Kinds are spelled alike: scan-duplicates, as generate-articles and insert-links. A scan that waits goes on
-- under its new name, and so does the key that keeps a second one from being queued beside it.

set local role spark_owner;
set local spark.scope = 'platform';

update spark.jobs
   set kind = 'scan-duplicates', dedup_key = replace(dedup_key, 'scan_duplicates', 'scan-duplicates')
 where kind = 'scan_duplicates';

reset spark.scope;

-- Kinds are spelled alike: scan-duplicates, as generate-articles and insert-links. What waits goes on under
-- its new name, and so does the key that keeps a second scan from being queued beside it.

set local role spark_owner;
set local spark.scope = 'platform';

update spark.jobs set kind = replace(kind, '_', '-'), dedup_key = replace(dedup_key, 'scan_duplicates', 'scan-duplicates')
 where kind in ('scan_duplicates', 'bench_noop');

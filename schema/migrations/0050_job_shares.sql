-- Which sites have jobs that wait, and the first of each: whoever hands out jobs asks it of every site,
-- however many rows one of them has.
create index jobs_due_of_site on spark.jobs (site_id, run_at, id) where state = 'queued';

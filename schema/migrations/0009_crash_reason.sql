-- What a worker died of, in the words of who saw it: the sentence of the job that is charged.

set local role spark_owner;

alter table spark.workers add column crash_reason text;

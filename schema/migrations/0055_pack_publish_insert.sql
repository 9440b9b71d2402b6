-- functions: pack_articles
--
-- PostgreSQL parses the condition of a trigger anew for each statement: half a percent of an insert for each comparison.
-- The status is asked by the function, for posts of articles alone.

set local client_min_messages = warning;
set local role spark_owner;

create or replace trigger posts_publish_insert after insert on posts for each row
    when (new.source_article_id is not null) execute function spark.publish_source_article();

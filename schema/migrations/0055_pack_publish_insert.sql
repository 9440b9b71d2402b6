-- functions: pack_articles
--
-- PostgreSQL parses the condition of a trigger again for each statement. Comparing the status in it cost 1.3 % of the
-- instructions of an insert; the function does it, for posts of articles alone.

set local client_min_messages = warning;
set local role spark_owner;

create or replace trigger posts_publish_insert after insert on posts for each row
    when (new.source_article_id is not null) execute function spark.publish_source_article();

-- What a share leads to is found by the server (core/access/identity/share_reach.c).
drop function if exists spark.share_reach(uuid, uuid);
drop function if exists spark.rows_of_site(text, uuid);

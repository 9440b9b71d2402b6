select status, count(*) from posts group by status order by status;

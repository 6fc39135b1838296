-- Each index of a partition, known by the uppermost one that it belongs to.
select concat_ws(' ', pg_partition_root(i.oid), x.indrelid::regclass), format('%I', i.nspname), format('%I', i.relname)
from pg_inherits h join relation i on i.oid = h.inhrelid join pg_index x on x.indexrelid = i.oid
order by 1

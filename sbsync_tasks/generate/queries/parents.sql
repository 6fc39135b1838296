-- The parents of each table, in their order, and a partition's bound.
select c.name, coalesce(array_agg(i.inhparent::regclass::text order by i.inhseqno)
    filter (where i.inhparent is not null), '{}'), coalesce(pg_get_expr(c.relpartbound, c.oid), '')
from relation c left join pg_inherits i on i.inhrelid = c.oid
where c.relkind in ('r', 'p', 'f')
group by 1, 3
order by 1

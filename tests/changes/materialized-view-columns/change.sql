alter materialized view public.mv alter column t set storage external;
alter materialized view public.mv alter column u set compression pglz;
alter materialized view public.mv alter column n set statistics 77;
alter materialized view public.mv alter column n set (n_distinct = 5);
alter materialized view public.mv cluster on mv_id;
alter materialized view public.mv set (autovacuum_enabled = false, toast.autovacuum_enabled = false);
alter index public.mv_n alter column 1 set statistics 55;
comment on column public.mv.t is 'text';

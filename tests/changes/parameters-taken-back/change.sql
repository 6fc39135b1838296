alter table public.big reset (fillfactor, autovacuum_enabled, toast.autovacuum_enabled);
alter table public.big alter a set storage default, alter a set compression default, alter b set statistics -1, alter b reset (n_distinct), set without cluster, replica identity default;
alter index public.big_a reset (fillfactor);
alter table public.fast set logged;
alter table public.slow set unlogged;
alter view public.v reset (security_barrier, security_invoker);
alter statistics public.st set statistics -1;

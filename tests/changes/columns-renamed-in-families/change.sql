alter table public.w rename d to name; alter table public.w rename e to day; alter table public.w drop column c; alter table public.w add column c int;
alter table public.wp rename note to remark; alter table public.wp add column more int default 3;

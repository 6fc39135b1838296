create table public.ev (id int primary key, a text, n int);
create function public.fmt(a text) returns text language sql immutable as $$ select a $$;
create function public.fmt(n int) returns text language sql immutable as $$ select n::text $$;
create function public.fmt(n int, w int) returns text language sql immutable as $$ select lpad(n::text, w) $$;
create view public.evs as select public.fmt(a) as fa, public.fmt(n) as fn, public.fmt(n, 3) as fw from public.ev;
create index ev_fmt on public.ev (public.fmt(n));
alter table public.ev add constraint fmt_ok check (public.fmt(a) <> '');
grant execute on function public.fmt(int) to anon; comment on function public.fmt(int, int) is 'wide';

drop view public.evs; drop index public.ev_fmt; alter table public.ev drop constraint fmt_ok;
drop function public.fmt(int); drop function public.fmt(int, int);
create function public.fmt(n int, w int default 2, fill text default '0') returns varchar language sql immutable as $$ select lpad(n::text, w, fill) $$;
create function public.fmt(variadic parts text[]) returns text language sql immutable as $$ select array_to_string(parts, '') $$;
create view public.evs as select public.fmt(a) as fa, public.fmt(n) as fn, public.fmt(n, 3) as fw from public.ev;
create index ev_fmt on public.ev (public.fmt(n));
alter table public.ev add constraint fmt_ok check (public.fmt(a) <> '' and public.fmt(n, 4, ' ') <> '');

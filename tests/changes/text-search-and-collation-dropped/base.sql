create text search dictionary public.simple_d (template = simple);
create text search configuration public.conf (copy = simple);
alter text search configuration public.conf alter mapping for word with public.simple_d;
create collation public.bytes (provider = libc, locale = 'C');
create table public.doc (id int primary key, body text, name text collate public.bytes, tsv tsvector generated always as (to_tsvector('public.conf', body)) stored);
create index doc_tsv on public.doc using gin (tsv);
create index doc_name on public.doc (name);

drop index public.doc_tsv; alter table public.doc drop column tsv;
drop text search configuration public.conf; drop text search dictionary public.simple_d;
alter table public.doc alter name type text collate "C";
drop collation public.bytes;
alter table public.doc add column tsv tsvector generated always as (to_tsvector('simple', coalesce(body, ''))) stored;
create index doc_tsv on public.doc using gin (tsv);

create text search dictionary public.dict (template = simple, stopwords = english);
create text search configuration public.conf (copy = english);
create table public.doc (id int primary key, body text, tsv tsvector generated always as (to_tsvector('public.conf', body)) stored);
create index doc_tsv on public.doc using gin (tsv);

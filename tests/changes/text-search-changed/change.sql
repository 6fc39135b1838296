alter text search configuration public.conf alter mapping for word, asciiword with public.dict, english_stem;
alter text search configuration public.conf drop mapping for url;
alter text search dictionary public.dict (accept = false);
comment on text search dictionary public.dict is 'd'; comment on text search configuration public.conf is 'c';
create index doc_body on public.doc using gin (to_tsvector('public.conf', body));

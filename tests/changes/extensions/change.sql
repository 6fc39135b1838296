create extension citext schema extensions;
create extension pg_trgm schema extensions;
create extension btree_gist schema extensions;
alter table public.words alter w type extensions.citext;
create index words_h on public.words using gin (h extensions.gin_trgm_ops);
alter table public.words add exclude using gist (id with =, h with =);
create function public.near(a text) returns real language sql stable as $$ select extensions.similarity(a, 'x') $$;
drop table public.tree;
drop extension ltree; drop extension hstore;

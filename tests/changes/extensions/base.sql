create table public.words (id int primary key, w text, h text);
create extension if not exists hstore schema extensions;
create extension if not exists ltree schema extensions;
create table public.tree (id int primary key, p extensions.ltree, kv extensions.hstore);

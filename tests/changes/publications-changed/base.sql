create schema feed;
create table feed.a (id int primary key, x text, secret text);
create table feed.b (id int primary key, x text);
create publication one for table feed.a (id, x), feed.b;
create publication whole for tables in schema feed;
create publication rid for table feed.a;
alter publication supabase_realtime add table feed.b;

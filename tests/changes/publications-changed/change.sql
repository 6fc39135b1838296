alter publication one set table feed.a (id) where (id > 3);
alter publication one set (publish = 'insert');
alter publication whole drop tables in schema feed;
alter publication whole add table feed.b;
drop publication rid;
create publication every for tables in schema feed with (publish_via_partition_root = true);
alter publication supabase_realtime drop table feed.b;
alter publication supabase_realtime add table feed.a (id, x);
alter publication one rename to first;

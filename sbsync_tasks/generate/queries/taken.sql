-- What may not have the name of a table or a type.
select oid::regclass::text from pg_class union select oid::regtype::text from pg_type

select oid::int8, name from relation where relkind in ('r', 'p', 'f')

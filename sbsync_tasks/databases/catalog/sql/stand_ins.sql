-- What an embedded database has in place of an extension; its control file says so.
select 'stand-in', '', '', '', e.extname, a.comment
from pg_extension e join pg_available_extensions a on a.name = e.extname
where a.comment like 'a stand-in for %%'

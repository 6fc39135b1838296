insert into public.use values (1, '[1,3)', '[1,2)');

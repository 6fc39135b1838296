alter domain public.qty rename to quantity;

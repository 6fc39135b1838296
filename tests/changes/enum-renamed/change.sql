alter type public.mood rename to feeling;

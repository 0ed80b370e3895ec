/* SPDX-License-Identifier: MIT
 *
 * The seed store's protocol (two slots, load, save) against power cuts, a
 * volatile write cache, failing flushes, killed processes and dying media.
 * Holds promises P1 (once) and P5 (nothing lost), and the store's part of P7.
 *
 * One file, three kinds of macros (test_model.py knows which go together):
 *   PROP_x  the property that this run checks, an assertion,
 *   F_x     faults that the disk and the machine may show,
 *   M_x     mutants: one step or check of the protocol left out.
 * What is not modelled: the bytes of a seed (a record is an id), jitter, the
 * machine tag, foreign and other-version slots (never written), mounting.
 *
 * Bounds, and why they suffice.
 *   Boots, cuts, loads, saves, faults: not bounded. Before each operation dead
 *     records are forgotten and generations are replaced by their rank, so the
 *     state space is finite and is searched whole. That is exact: generations
 *     are only ever compared between the two slots, and a new one is one above
 *     all that are read; what a read does not show lies below those, or in the
 *     slot in doubt, which is the one to be overwritten.
 *   Records: at most IDS - FIRST live ones; running out fails an assertion.
 *   Steps that no fault can tell apart are one step: the note in /run with the
 *     write that follows it, the read-back with the note's removal.
 */

/* What a slot holds: a number below FIRST, or the id of a valid record. */
#define PRISTINE 0
#define DAMAGED  1
#define FIRST    2
#define IDS      8

#define NOWHERE  2              /* no slot */
#define L        0              /* index of the load process */
#define S        1              /* index of the save process */

#define BIT(id)      (1 << (id))
#define IN(id, set)  (((set) >> (id)) & 1)
#define VALID(id)    ((id) >= FIRST)

/* ------------------------------------------------------------ records --- */

byte gen[IDS];                  /* generation */
byte creditable;                /* set of ids: the flag in the record */
byte here;                      /* set of ids: boot id is this boot's */
byte spent;                     /* set of ids: has been credited (ghost) */

/* --------------------------------------------------------------- disk --- */

byte med[2];                    /* on the medium */
byte pend[2];                   /* sets of ids written, not flushed */
byte view[2];                   /* what a read through the device shows */

#define ON_DISK  (pend[0] | pend[1] | BIT(med[0]) | BIT(med[1]) | BIT(view[0]) | BIT(view[1]))

/* ------------------------------------------------------------ machine --- */

bool up, calm;                  /* calm: no fault from here on */
bool ready;                     /* the kernel's CRNG */
bool credited;                  /* a seed was credited in this boot (ghost) */
bool earned;                    /* it was, or policy alone prevented it (ghost) */
#ifdef PROP_ONEBOOT
bool torn;                      /* the cut tore a write (ghost) */
#define TORN  torn = true
#else
#define TORN  skip
#endif
byte durable;                   /* highest generation put, or found after a cut (ghost) */

/* /run: gone with the boot. */
bool done;                      /* load has finished */
byte doubt = NOWHERE;           /* slot being written, or whose write failed */
bool locked;
bool no_saves;                  /* the user makes none for now */

/* ---------------------------------------------------------- processes --- */

bool busy[2], dead[2], ok[2];
byte seed[2];                   /* newest valid record, or PRISTINE */
byte next[2];                   /* record being written */
byte from[2];                   /* slot of seed, or NOWHERE */
byte top[2];                    /* highest generation read or written */
bool sound[2];                  /* creditable, and nothing is lost beside it */
bool fresh[2];                  /* sound, and saved in another boot */

/* Scratch: used in a d_step only, 0 after it. */
byte i, j, k, used, a, b, to[IDS], rank[IDS];

/* --------------------------------------------------------- properties --- */

#define CLEAN(s)  (pend[s] == 0 && VALID(med[s]))  /* whatever a cut does now */

#ifdef PROP_VALID               /* never without a valid record */
#define HELD  (durable == 0 || CLEAN(0) || CLEAN(1))
#endif
#ifdef PROP_NEWEST              /* the newest durable generation is never lost */
#define HELD  (durable == 0 || (CLEAN(0) && gen[med[0]] >= durable) \
                            || (CLEAN(1) && gen[med[1]] >= durable))
#endif
#ifndef HELD
#define HELD  true
#endif

inline note_durable() {
#if defined(PROP_VALID) || defined(PROP_NEWEST)
    if :: CLEAN(0) && doubt != 0 && gen[med[0]] > durable -> durable = gen[med[0]] :: else fi;
    if :: CLEAN(1) && doubt != 1 && gen[med[1]] > durable -> durable = gen[med[1]] :: else fi
#else
    skip
#endif
}

/* The story of a counterexample, as told by spin -t; generations are ranks. */
#define SHOW(id)  (VALID(id) -> gen[id] : 0 - id)  /* generation; 0 pristine, -1 damaged */
#define TELL_DISK \
    printf("      medium %d %d, read %d %d, unflushed %d %d\n", \
        SHOW(med[0]), SHOW(med[1]), SHOW(view[0]), SHOW(view[1]), pend[0] != 0, pend[1] != 0)
#define WHO(me)  (me == L -> 'L' : 'S')

/* --------------------------------------------------- disk: operations --- */

/* A write is taken into the cache. Or it fails, with or without effect (that
 * covers a disk that is or becomes read-only). Or it vanishes (F_SILENT: an SD
 * card at its end of life), and a read shows the old content. */
inline disk_write(me, s) {
    printf("%c write generation %d into slot %d\n", WHO(me), gen[next[me]], s);
    if
    :: d_step { pend[s] = pend[s] | BIT(next[me]); view[s] = next[me]; ok[me] = true }
#ifdef F_IO
    :: d_step { !calm -> printf("  fails, with effect\n");
            pend[s] = pend[s] | BIT(next[me]); view[s] = next[me]; ok[me] = false }
    :: d_step { !calm -> printf("  fails, without effect\n"); ok[me] = false }
#endif
#ifdef F_SILENT
    :: d_step { !calm -> printf("  vanishes silently\n"); ok[me] = true }
#endif
    fi;
    TELL_DISK;
    assert(HELD)
}

/* One slot's unflushed writes meet their fate: none, one, or a torn one. */
inline settle(s) {
    if
    :: true                               /* dropped */
    :: med[s] = DAMAGED; TORN             /* torn */
    :: IN(2, pend[s]) -> med[s] = 2       /* this one last: writes reorder */
    :: IN(3, pend[s]) -> med[s] = 3
    :: IN(4, pend[s]) -> med[s] = 4
    :: IN(5, pend[s]) -> med[s] = 5
    :: IN(6, pend[s]) -> med[s] = 6
    :: IN(7, pend[s]) -> med[s] = 7       /* up to IDS - 1 */
    fi;
    pend[s] = 0
}

/* After a failed flush a slot's writes may still be in the cache; or they have
 * met their fate, and no later flush will touch them (the kernel marks pages
 * clean, ATA disks drop the sector that FLUSH CACHE failed on), while reads
 * show the medium or, if written in this boot, the page that is still cached. */
inline lose(s) {
    if
    :: pend[s] == 0
    :: pend[s] != 0                       /* kept */
    :: pend[s] != 0 && IN(view[s], here) -> settle(s)
    :: pend[s] != 0 -> settle(s); view[s] = med[s]
    fi
}

inline land(s) {
    if :: pend[s] != 0 -> med[s] = view[s]; pend[s] = 0 :: else fi
}

inline disk_flush(me) {
    if
    :: d_step { printf("%c flush\n", WHO(me)); land(0); land(1); ok[me] = true }
#ifdef F_IO
    :: !calm -> printf("%c flush fails\n", WHO(me)); lose(0); lose(1); ok[me] = false
#endif
#ifdef F_LIE                              /* reports success, does nothing */
    :: d_step { !calm -> printf("%c flush lies\n", WHO(me)); ok[me] = true }
#endif
    fi;
    TELL_DISK;
#ifdef M_IGNORE_FLUSH_ERROR
    ok[me] = true;
#endif
    assert(HELD)
}

/* ------------------------------------------- protocol: shared by both --- */

/* Forget dead records; number the live ones in the order of generations. */
inline renumber(set) {
    a = 0; i = FIRST;
    do
    :: i < IDS -> if :: IN(i, set) && to[i] != 0 -> a = a | BIT(to[i]) :: else fi; i++
    :: else -> break
    od;
    set = a
}

inline forget() {
    d_step {
        used = ON_DISK & ~3;
        j = FIRST; k = 0; b = 0;          /* next number, next rank, last generation */
        do
        :: used != 0 ->
            a = 0; i = FIRST;             /* a: the lowest generation left */
            do
            :: i < IDS ->
                if
                :: IN(i, used) && (a == 0 || gen[i] < gen[a]) -> a = i
                :: else
                fi;
                i++
            :: else -> break
            od;
            if :: gen[a] > b -> k++; b = gen[a] :: else fi;
            if :: durable == b -> durable = k :: else fi;
            to[a] = j; rank[j] = k; j++;
            used = used & ~BIT(a)
        :: else -> break
        od;
        to[DAMAGED] = DAMAGED;
        med[0] = to[med[0]]; med[1] = to[med[1]];
        view[0] = to[view[0]]; view[1] = to[view[1]];
        renumber(pend[0]); renumber(pend[1]);
        renumber(creditable); renumber(here); renumber(spent);
        to[DAMAGED] = 0; i = FIRST;
        do
        :: i < IDS -> gen[i] = rank[i]; rank[i] = 0; to[i] = 0; i++
        :: else -> break
        od;
        i = 0; j = 0; k = 0; a = 0; b = 0; used = 0
    }
}

inline begin(me) {
    if :: !busy[1 - me] -> forget() :: else fi;   /* busy: without the lock */
    printf("%c begins\n", WHO(me));
    busy[me] = true;
#ifndef M_NO_LOCK
    locked = true
#endif
}

inline finish(me) {
    d_step {
        busy[me] = false; dead[me] = false; ok[me] = false;
        seed[me] = PRISTINE; next[me] = PRISTINE; from[me] = 0; top[me] = 0;
        sound[me] = false; fresh[me] = false;
#ifndef M_NO_LOCK
        locked = false
#endif
    }
}

/* The kernel may have become ready by itself at any time. */
inline maybe_ready() {
    if :: true :: !ready -> ready = true fi
}

/* What is read must be durable before it may be relied on: a warm reset leaves
 * the drive's cache alive. */
inline barrier(me) {
#ifdef M_NO_BARRIER
    ok[me] = true
#else
    atomic {
        disk_flush(me);
        d_step { if :: ok[me] -> note_durable() :: else fi }
    }
#endif
}

/* Would the loss of a newer record than the seed show? Its slot held it. */
#if defined(M_NO_DAMAGED_CHECK)
#define SIBLING_OK(x, g)  (x == DAMAGED || (VALID(x) && gen[x] < g))
#elif defined(M_NO_PRISTINE_CHECK)
#define SIBLING_OK(x, g)  (x == PRISTINE || (VALID(x) && gen[x] < g))
#else
#define SIBLING_OK(x, g)  (VALID(x) && gen[x] < g)
#endif

#ifdef M_NO_BOOTID
#define OTHER_BOOT(id)  true
#else
#define OTHER_BOOT(id)  (!IN(id, here))
#endif

/* Read both slots and judge. A slot in doubt counts as damaged, but for its generation. */
inline read_slots(me) {
    d_step {
        a = view[0]; b = view[1];
        top[me] = (VALID(a) -> gen[a] : 0);
        if :: VALID(b) && gen[b] > top[me] -> top[me] = gen[b] :: else fi;
#ifndef M_NO_DOUBT
        if :: doubt == 0 -> a = DAMAGED :: doubt == 1 -> b = DAMAGED :: else fi;
#endif
        from[me] = NOWHERE;
        if
        :: VALID(a) && (!VALID(b) || gen[a] > gen[b]) -> from[me] = 0; seed[me] = a
        :: VALID(b) && (!VALID(a) || gen[b] >= gen[a]) -> from[me] = 1; seed[me] = b; b = a
        :: else -> seed[me] = PRISTINE
        fi;                               /* b: the sibling from here on */
        sound[me] = VALID(seed[me]) && IN(seed[me], creditable) && SIBLING_OK(b, gen[seed[me]]);
        fresh[me] = sound[me] && OTHER_BOOT(seed[me]);
        a = 0; b = 0
    }
}

/* A new record, under an id that nothing refers to. */
inline make(me, flag) {
    d_step {
        next[me] = PRISTINE;
        used = ON_DISK | BIT(seed[L]) | BIT(seed[S]) | BIT(next[L]) | BIT(next[S]);
        i = FIRST;
        do
        :: i < IDS && IN(i, used) -> i++
        :: else -> break
        od;
        assert(i < IDS);
        next[me] = i;
        top[me]++;
        gen[i] = top[me];
        here = here | BIT(i);
        spent = spent & ~BIT(i);
        creditable = creditable & ~BIT(i);
        if :: flag -> creditable = creditable | BIT(i) :: else fi;
        i = 0; used = 0
    }
}

/* Put a record into a slot. The note of the slot comes before the write and
 * goes only when the record is durable and reads back right. */
inline put(me, s, flag, flush) {
    atomic { make(me, flag); doubt = s; disk_write(me, s) };
    if
    :: ok[me] && flush -> atomic { disk_flush(me) }
    :: else
    fi;
    d_step {
#ifndef M_NO_READBACK
        ok[me] = ok[me] && view[s] == next[me];
#endif
        if :: ok[me] -> doubt = NOWHERE; note_durable() :: else fi
    }
}

/* No valid record at all: two new ones. */
inline put_both(me, flag) {
    put(me, 0, flag, true);
    if
    :: ok[me] -> put(me, 1, flag, true)
    :: else
    fi
}

/* --------------------------------------------------------------- load --- */

inline credit_seed() {
    atomic {
        if
        :: fresh[L] && ok[L] ->
            earned = true;
            if
            :: d_step {
                printf("L credits generation %d\n", gen[seed[L]]);
#ifdef PROP_ONCE
                assert(!IN(seed[L], spent));
#endif
#ifdef PROP_BOOT
                assert(!credited);
#endif
#ifdef PROP_OTHER_BOOT
                assert(!IN(seed[L], here));
#endif
#ifdef PROP_DURABLE
                assert((CLEAN(0) && gen[med[0]] > gen[seed[L]]) ||
                       (CLEAN(1) && gen[med[1]] > gen[seed[L]]));
#endif
                spent = spent | BIT(seed[L]);
                credited = true;
                ready = true
            }
#ifdef F_POLICY
            :: !calm                      /* a virtual machine: mixed only */
#endif
            fi
        :: else                           /* mixed with credit 0 */
        fi
    }
}

#ifdef M_OWN_SLOT
#define TARGET   from[L]
#define RETIRED  (1 - from[L])
#else
#define TARGET   (1 - from[L])
#define RETIRED  from[L]
#endif

#ifdef M_RENEW_IF_READY
#define RENEWS  ready
#else
#define RENEWS  true
#endif

#ifdef M_CONTINUE_AFTER_FAILURE
#define RETIRED_WELL  true
#else
#define RETIRED_WELL  ok[L]
#endif

#ifdef M_RENEW_UNFLUSHED
#define RENEW_FLUSH  false
#else
#define RENEW_FLUSH  true
#endif

inline renew() {
    if
    :: RENEWS -> put(L, RETIRED, (ready || fresh[L]), RENEW_FLUSH)
    :: else
    fi
}

/* After a complete load nothing on disk leads to what was fed (P7). */
inline loaded() {
    d_step {
#ifdef PROP_FORWARD
        assert(med[0] != seed[L] && med[1] != seed[L]);
        assert(!IN(seed[L], pend[0]) && !IN(seed[L], pend[1]));
#endif
        done = true
    }
}

inline rotate() {
#if defined(M_CREDIT_FIRST)
    credit_seed();
    put(L, TARGET, fresh[L], true);
    if :: ok[L] -> renew() :: else fi;
#elif defined(M_NO_FLUSH)
    put(L, TARGET, fresh[L], false);
    credit_seed();
    if :: ok[L] -> renew() :: else fi;
#elif defined(M_RENEW_BEFORE_FLUSH)
    put(L, TARGET, fresh[L], false);
    if :: ok[L] -> renew() :: else fi;
    credit_seed();
#elif defined(M_RENEW_BEFORE_CREDIT)
    put(L, TARGET, fresh[L], true);
    if :: ok[L] -> renew() :: else fi;
    credit_seed();
#else
    put(L, TARGET, fresh[L], true);       /* successor: retires the seed */
    credit_seed();                        /* 0 unless that worked */
    if
    :: RETIRED_WELL -> renew()
    :: else
    fi;
#endif
    if :: ok[L] -> loaded() :: else fi
}

active proctype Load() {
end_idle:
    do
    :: {
        atomic {
            up && !done && !locked && !dead[L] -> begin(L); maybe_ready()
        };
        barrier(L);
        if
        :: ok[L] ->
            read_slots(L);
            if
            :: from[L] == NOWHERE ->
                put_both(L, ready);
                if :: ok[L] -> done = true :: else fi
            :: else ->
                rotate()
            fi
        :: else                       /* mixed, credit 0, nothing written */
        fi;
        assert(done || !calm);
        finish(L)
    } unless { dead[L] -> finish(L) }
    od
}

/* --------------------------------------------------------------- save --- */

#ifdef M_SAVE_DOWNGRADES
#define SAVE_FLAG  ready
#else
#define SAVE_FLAG  (ready || sound[S])
#endif

#ifdef M_SAVE_NEWEST
#define SAVE_SLOT  from[S]
#else
#define SAVE_SLOT  (1 - from[S])
#endif

/* A save that comes before load costs that boot's credit: the seed is then one
 * that was saved in this boot. Services order them; only here it matters. */
#ifdef PROP_ONEBOOT
#define MAY_SAVE  done
#else
#define MAY_SAVE  true
#endif

active proctype Save() {
end_idle:
    do
    :: {
        atomic {
            up && !no_saves && MAY_SAVE && !locked && !dead[S] -> begin(S); maybe_ready()
        };
        barrier(S);
        if
        :: ok[S] ->
            read_slots(S);
            if
            :: from[S] == NOWHERE -> put_both(S, ready)
            :: else -> put(S, SAVE_SLOT, SAVE_FLAG, true)
            fi
        :: else
        fi;
        finish(S)
    } unless { dead[S] -> finish(S) }
    od
}

/* ------------------------------------------- the machine and its fate --- */

/* Medium at rest: a slot may rot (F_DECAY: a neighbour's write damaged it, a
 * sector became unreadable) or read as zeros (F_TRIM: discarded). */
inline age(s) {
    if
    :: true
#ifdef F_DECAY
    :: !calm && pend[s] == 0 -> med[s] = DAMAGED
#endif
#ifdef F_TRIM
    :: !calm && pend[s] == 0 -> med[s] = PRISTINE
#endif
    fi
}

/* The end of a boot. A warm reset (F_WARM) may leave writes in the drive's
 * cache, where reads see them and a later cut can still lose them. */
inline power_off() {
    atomic {
        up = false;
        dead[L] = busy[L]; dead[S] = busy[S];
        if
        :: pend[0] != 0 -> settle(0)
#ifdef F_WARM
        :: pend[0] != 0 && !calm
#endif
        :: else
        fi;
        if
        :: pend[1] != 0 -> settle(1)
#ifdef F_WARM
        :: pend[1] != 0 && !calm
#endif
        :: else
        fi;
        age(0); age(1);
        assert(HELD);
        d_step {
            if :: pend[0] == 0 -> view[0] = med[0] :: else fi;
            if :: pend[1] == 0 -> view[1] = med[1] :: else fi;
            here = 0; ready = false; credited = false; earned = false; done = false;
            doubt = NOWHERE;
            durable = 0;
            note_durable()
        };
        printf("power off\n");
        TELL_DISK
    };
    (!busy[L] && !busy[S])
}

inline power_on() {
    atomic { forget(); up = true;
        printf("boot\n"); TELL_DISK }
}

inline record(id, slot, generation, flag) {
    med[slot] = id; view[slot] = id; gen[id] = generation;
    if :: flag -> creditable = creditable | BIT(id) :: else fi
}

inline store_after_setup(flag) {
    d_step { record(2, 0, 1, flag); record(3, 1, 2, flag) }
}

#ifdef AFTER_SETUP
#define START  store_after_setup(true)
#else                                     /* or pristine, or not creditable */
#define START  if :: true :: store_after_setup(true) :: store_after_setup(false) fi
#endif

#define IDLE  (!busy[L] && !busy[S])

/* One save in a boot whose CRNG is ready. */
inline one_save() {
    atomic { ready = true; no_saves = false };
    atomic { busy[S] -> no_saves = true };
    (IDLE)
}

#if defined(PROP_RECOVER)
/*
 * From every reachable crash state: a boot with its load, then a save when the
 * CRNG is ready (or: it was ready at load), shutdown; the next load credits.
 */
active proctype Machine() {
    START;
    do
    :: power_on();
        do
        :: power_off(); break
#ifdef F_KILL
        :: atomic { busy[L] && !dead[L] -> dead[L] = true; printf("L is killed\n") }
        :: atomic { busy[S] && !dead[S] -> dead[S] = true; printf("S is killed\n") }
#endif
        od;
        if :: true :: true -> break fi
    od;
    calm = true; no_saves = true;
    if
    :: atomic { power_on(); ready = true }; (done && IDLE)
    :: power_on(); (done && IDLE); one_save()
    fi;
    assert(pend[0] == 0 && pend[1] == 0);
    power_off();
    power_on();
    (done && IDLE);
    assert(credited)
}

#elif defined(PROP_ONEBOOT)
/*
 * The store is good (both slots valid, the newest creditable), saves come after
 * load. After some clean boots power is cut once, at any step. Then:
 *   the next boot credits, unless a write was torn by that cut (P5);
 *   the boot after it credits, if in the boot between them the CRNG was ready
 *   when load renewed or when one save was made (not so under NEVER_READY).
 * Without a cut every boot credits.
 */
active proctype Machine() {
    store_after_setup(true);
    do
    :: power_on();
        if
        :: atomic { (done && IDLE) -> assert(earned); up = false }; power_off()
        :: power_off(); break
        fi
    od;
    calm = true; no_saves = true;
    power_on();
    (done && IDLE);
    assert(earned || torn);
    if
    :: earned || ready                    /* no save at all */
    :: one_save()
#ifdef NEVER_READY
    :: true
#endif
    fi;
    power_off();
    power_on();
    (done && IDLE);
    assert(earned)
}

#else
/* Anything, for ever. */
active proctype Machine() {
    START;
    do
    :: power_on();
        do
        :: power_off(); break
#ifdef F_KILL
        :: atomic { busy[L] && !dead[L] -> dead[L] = true; printf("L is killed\n") }
        :: atomic { busy[S] && !dead[S] -> dead[S] = true; printf("S is killed\n") }
#endif
        od
    od
}
#endif

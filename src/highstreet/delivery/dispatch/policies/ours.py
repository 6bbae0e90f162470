from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from .baselines import shift_end
from .problem import FAR, Bundle, Floats, Move, Plan, Problem, bundled, job, single


@dataclass(frozen=True)
class Ours:
    name: str = "ours"
    price: float = 0.1
    scarce: float = 1.5
    load_from: float = 0.7
    late: float = 0.5
    reward: float = 3600.0
    old: float = 1.0
    most: int = 3
    slack: float = 60.0
    merge: bool = True
    apart: float = 600.0
    hedge: float = 1.0
    drift: float = 0.0
    cost_move: float = 0.02
    cap: float = 1200.0
    near: float = 600.0
    sure: float = 150.0
    pay: float = 180.0
    ahead: float = 1.5
    soft: float = 0.7

    def assign(self, problem: Problem) -> Plan:
        from scipy.optimize import linear_sum_assignment

        N, K = len(problem.store), len(problem.free_in)
        if not N or not K:
            return Plan()
        price = self._price(problem)
        groups = [single(problem, o) for o in range(N)]
        cost = self._costs(problem, groups, price)
        rows, cols = linear_sum_assignment(np.minimum(cost, 0.0))
        if self.merge:
            for _ in range(4):
                merged = self._merge(problem, groups, cost, rows, cols, price)
                if merged is None:
                    break
                groups, cost = merged
                rows, cols = linear_sum_assignment(np.minimum(cost, 0.0))
        jobs, moves = [], []
        for r, c in zip(rows.tolist(), cols.tolist()):
            if cost[r, c] >= 0 or problem.free_in[c] > 0:
                continue
            g = groups[r]
            ride = float(problem.to_store[c, g.store])
            there = ride + problem.service.before_pickup
            if ride == 0 and g.ready_in <= self.sure:
                jobs.append(job(problem, g, c, float(cost[r, c])))
            elif ride > 0 and g.ready_in - there < self.slack - self._early(problem, g, price):
                moves.append(Move(c, g.store))
        if self.drift and problem.may_move and len(problem.apart):
            taken = {j.courier for j in jobs} | {m.courier for m in moves}
            soon = {c: groups[r] for r, c in zip(rows.tolist(), cols.tolist()) if cost[r, c] < 0}
            moves += self._drift(problem, taken, soon)
        return Plan(tuple(jobs), tuple(moves))

    def _drift(self, problem, taken, soon):
        free = problem.free_in
        there = np.where((free <= self.near)[:, None], problem.to_store + np.maximum(free, 0)[:, None], FAR)
        for c in list(taken) + [c for c, g in soon.items()]:
            there[c] = FAR
        idle = [c for c in np.flatnonzero((free <= 0) & (problem.off_in > 1200)).tolist() if c not in taken and c not in soon]
        if not idle:
            return []
        w = problem.demand / problem.demand.sum()
        out = []
        for _ in range(min(3, len(idle))):
            best = (self.drift, -1, -1)
            order = np.argsort(there, axis=0)[:2]
            first = there[order[0], np.arange(there.shape[1])]
            second = there[order[1], np.arange(there.shape[1])] if there.shape[0] > 1 else np.full(there.shape[1], FAR)
            for c in idle:
                rest = np.minimum(np.where(order[0] == c, second, first), self.cap)
                now = (np.minimum(rest, there[c]) * w).sum()
                then = np.minimum(rest[None, :], problem.apart) @ w
                gain = now - then - self.cost_move * problem.to_store[c]
                gain[problem.to_store[c] > self.cap / 2] = -1
                t = int(gain.argmax())
                if gain[t] > best[0]:
                    best = (float(gain[t]), c, t)
            if best[1] < 0:
                break
            _, c, t = best
            out.append(Move(c, t)); idle.remove(c)
            there[c] = problem.apart[t]
        return out

    def _early(self, problem, g, price):
        if not len(problem.unsure):
            return 0.0
        return float(problem.unsure[list(g.orders)].max() * ndtri(min(max(self.hedge * price, 0.001), 0.5)))

    def _price(self, problem: Problem) -> float:
        """what a courier second is worth now"""
        H = 3600.0
        avail = np.clip(np.minimum(shift_end(problem), H) - np.maximum(problem.free_in, 0), 0, None).sum()
        need = (2 * problem.drop + 480.0).sum()
        load = need / max(avail, 1.0)
        return self.price + self.scarce * float(np.clip((load - self.load_from) / 0.6, 0, 1))

    def _costs(self, problem: Problem, groups: list[Bundle], price: float) -> Floats:
        B = len(groups)
        store = np.array([g.store for g in groups])
        ready = np.array([g.ready_in for g in groups])
        n = np.array([len(g.orders) for g in groups])
        s = problem.service
        free = np.maximum(problem.free_in, 0.0)[None, :]
        ride = np.minimum(problem.to_store[:, store].T, FAR)
        there = free + ride + s.before_pickup
        pick = np.maximum(there, np.maximum(ready, 0)[:, None])
        if len(problem.unsure):
            sd = np.array([max(float(problem.unsure[list(g.orders)].max()), 1.0) for g in groups])[:, None]
            r = ready[:, None]
            z = (there - r) / sd
            tail = sd * (np.exp(-np.minimum(z * z, 60.0) / 2) / 2.5066 - np.abs(z) * ndtr(-np.abs(z)))
            pick = np.where(ride < FAR, np.maximum(np.maximum(there, r), 0.0) + tail, pick)
        last = np.array([g.after[-1] for g in groups])
        ideal = np.array([sum(max(float(problem.ready_in[o]), 0.0) + float(problem.drop[o]) for o in g.orders) for g in groups])
        after = np.array([sum(g.after) for g in groups])
        delay = n[:, None] * pick + (after - ideal)[:, None]
        off = shift_end(problem)[None, :]
        end = pick + s.after_pickup + last[:, None] + s.before_drop + s.after_drop
        busy = np.clip(np.minimum(end, off) - free, 0, None)
        cost = delay + price * busy
        if self.late:
            width = int(n.max())
            doors = np.full((B, width), -FAR); due = np.zeros((B, width))
            for i, g in enumerate(groups):
                doors[i, : len(g.orders)] = g.after
                for j, o in enumerate(g.orders):
                    due[i, j] = max(float(problem.promised_in[o]), max(float(problem.ready_in[o]), 0.0) + s.after_pickup + float(problem.drop[o]))
            for j in range(width):
                cost = cost + self.late * np.maximum(0.0, pick + s.after_pickup + doors[:, j : j + 1] - due[:, j : j + 1])
        old = np.array([sum(self.reward + self.old * max(-float(problem.ready_in[o]), 0.0) for o in g.orders) for g in groups])
        cost = cost - old[:, None]
        if self.pay and len(problem.spare):
            pace = problem.spare - self.ahead * np.maximum(problem.off_in, 0) / 3600.0
            cost = cost + self.pay * n[:, None] / (1.0 + np.exp(np.clip(pace / self.soft, -30, 30)))[None, :]
        may = (ride < FAR) & (pick <= off) & (problem.room[None, :] >= n[:, None])
        for i, g in enumerate(groups):
            if problem.barred.any():
                may[i] &= ~problem.barred[list(g.orders)].any(axis=0)
        return np.where(may, cost, FAR)

    def _merge(self, problem, groups, cost, rows, cols, price):
        """merge pairs of groups where the assignment gets cheaper"""
        B = len(groups)
        mine = np.full(B, -1)
        val = np.zeros(B)
        for r, c in zip(rows, cols):
            if cost[r, c] < 0:
                mine[r] = c
                val[r] = cost[r, c]
        # what an unmatched group would gain from a courier set free
        loose = mine < 0
        by = {}
        for i, g in enumerate(groups):
            by.setdefault(g.store, []).append(i)
        cand, pairs = [], []
        for store, members in by.items():
            if len(members) < 2:
                continue
            for x in range(len(members)):
                for y in range(len(members)):
                    i, j = members[x], members[y]
                    if i == j or len(groups[i].orders) + len(groups[j].orders) > self.most:
                        continue
                    if abs(groups[i].ready_in - groups[j].ready_in) > self.apart:
                        continue
                    cand.append(bundled(problem, groups[i].orders + groups[j].orders))
                    pairs.append((i, j))
        if not cand:
            return None
        cc = self._costs(problem, cand, price)
        gain = np.minimum(cost[loose], 0.0).min(axis=0) if loose.any() else np.zeros(cost.shape[1])
        usable = np.zeros(cost.shape[1], bool)
        usable[mine[mine >= 0]] = True
        found = []
        for n, (i, j) in enumerate(pairs):
            best = 0.0
            options = [c for c in (mine[i], mine[j]) if c >= 0]
            freec = np.flatnonzero(~usable)
            for c in options:
                other = [d for d in options if d != c]
                bonus = sum(min(0.0, gain[d]) for d in other)
                delta = cc[n, c] + bonus - val[i] - val[j]
                best = min(best, delta)
            if len(freec):
                delta = cc[n, freec].min() + sum(min(0.0, gain[d]) for d in options) - val[i] - val[j]
                best = min(best, delta)
            if best < -1.0:
                found.append((best, n))
        if not found:
            return None
        found.sort()
        used = set(); keep = []
        for best, n in found:
            i, j = pairs[n]
            if i in used or j in used:
                continue
            used |= {i, j}; keep.append(cand[n])
        out = [g for i, g in enumerate(groups) if i not in used] + keep
        return out, self._costs(problem, out, price)

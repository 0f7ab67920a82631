"""What a member does to their own account: apps, passwords, codes, address, handle, rest, end.

Spec: https://atproto.com/specs/account
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from adapters.identity.address import Addresses
from adapters.identity.sign_in import Passwords, SignIn
from pod.access.agent import Agent, Credential
from pod.access.app_password import app_password_digest, new_app_password
from pod.access.grant import AppPassword
from pod.account import Accounts
from pod.confirm import Confirmations, Purpose
from pod.errors import Forbidden, Invalid
from pod.farewell import Farewell
from pod.model.ids import MemberId
from pod.model.member import Member, Standing
from pod.oauth.ports import OAuthStore
from pod.oauth.registration import ClientStore, Registrations
from pod.oauth.request import hashed
from pod.passkeys import Passkeys
from pod.ports import Clock, Reader
from pod.second_factor import SecondFactor

MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256
MAX_PROGRAMS: Final = 50


class Grants(Protocol):
    """What lets members in besides the password."""

    def app_passwords(self, member: MemberId) -> list[AppPassword]: ...
    async def add_app_password(self, made: AppPassword) -> None: ...
    async def delete_app_password(self, member: MemberId, name: str) -> None: ...
    async def revoke_refresh_grants(self, member: MemberId) -> None: ...
    async def set_password_hash(self, member: MemberId, encoded: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a form led to: words for the person, and a secret that is shown once."""

    told: str
    shown_once: str | None = None
    signed_out: bool = False
    is_over: bool = False


Act = Callable[[Member, Mapping[str, str]], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class AccountActs:
    """Each act takes the member and the fields of a form, and raises PodErrors."""

    sign_in: SignIn
    sessions: OAuthStore
    clients: ClientStore
    registrations: Registrations
    grants: Grants
    passwords: Passwords
    factor: SecondFactor
    passkeys: Passkeys
    accounts: Accounts
    addresses: Addresses
    confirmations: Confirmations
    farewell: Farewell
    reader: Reader
    clock: Clock
    check_lives_here: Callable[[Member], Awaitable[None]]

    def by_name(self) -> dict[str, Act]:
        """The acts by the last part of the address of their form."""
        return {
            "sessions": self.end_session,
            "everywhere": self.end_everything,
            "app-passwords": self.make_app_password,
            "app-passwords/delete": self.delete_app_password,
            "programs": self.make_program,
            "programs/delete": self.delete_program,
            "password": self.change_password,
            "codes": self.set_up_codes,
            "codes/confirm": self.turn_codes_on,
            "codes/off": self.turn_codes_off,
            "passkeys": self.add_passkey,
            "passkeys/remove": self.remove_passkey,
            "handle": self.change_handle,
            "address": self.change_address,
            "email": self.change_email,
            "email/code": self.mail_email_code,
            "email/confirm": self.confirm_email,
            "rest": self.rest,
            "return": self.wake_up,
            "delete/code": self.mail_delete_code,
            "delete": self.delete,
        }

    async def end_session(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """End what one app may do."""
        for session in self.sessions.sessions(member.id):
            if hashed(session.id) == form.get("session"):
                await self.sessions.end_session(session.id)
        return Outcome("The app has no access any more.")

    async def end_everything(self, member: Member, _: Mapping[str, str]) -> Outcome:
        """Sign everybody else out."""
        await self.sessions.end_sessions(member.id)
        await self.grants.revoke_refresh_grants(member.id)
        return Outcome("Everybody else is signed out.", signed_out=True)

    async def make_app_password(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Make an app password, which is shown this once."""
        await self.sign_in.again(member, form.get("password", ""))
        name = form.get("name", "").strip()
        if not name:
            raise Invalid("An app password needs a name.")
        password = new_app_password()
        digest = app_password_digest(member.did, password)
        privileged = form.get("privileged") == "yes"
        made = AppPassword(member.id, name, digest, privileged, self.clock.now())
        await self.grants.add_app_password(made)
        return Outcome(f"The app password “{name}” is made.", password)

    async def delete_app_password(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Delete an app password with the sessions that it began."""
        await self.grants.delete_app_password(member.id, form.get("name", ""))
        return Outcome("The app password is deleted.")

    async def make_program(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Make an id and a secret by which a program acts as the member; shown this once."""
        await self.sign_in.again(member, form.get("password", ""))
        name = form.get("name", "").strip()[:64]
        if not name:
            raise Invalid("A program needs a name.")
        if len(self.clients.clients(member.id)) >= MAX_PROGRAMS:
            raise Invalid("There are too many programs. Delete those that you do not use.")
        told = {"client_name": name, "grant_types": ["client_credentials"]}
        made, secret = await self.registrations.add(told, member=member.id)
        return Outcome(f"The program “{name}” may sign in.", f"id: {made.id}\nsecret: {secret}")

    async def delete_program(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Let a program in no more; its tokens end at once."""
        for client in self.clients.clients(member.id):
            if client.id == form.get("program"):
                await self.clients.delete_client(client.id)
        return Outcome("The program has no access any more.")

    async def change_password(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Change the password; all other sessions end."""
        await self.sign_in.again(member, form.get("password", ""))
        encoded = await self.hashed(form.get("new", ""))
        await self.grants.set_password_hash(member.id, encoded)
        done = await self.end_everything(member, form)
        return replace(done, told="Your password is changed, and everybody else signed out.")

    async def mail_reset_code(self, email: str) -> None:
        """Mail a code to an address, if it is a member's; nobody learns whether it is."""
        member = self.reader.member_by_email(email.strip().lower())
        if member is not None and member.standing is not Standing.DELETED:
            await self.confirmations.send(member, Purpose.RESET_PASSWORD)

    async def reset_password(self, form: Mapping[str, str]) -> None:
        """Set the password of whoever was mailed a code; all their sessions end."""
        encoded = await self.hashed(form.get("new", ""))
        code = form.get("code", "").strip()
        owner = self.confirmations.holder(Purpose.RESET_PASSWORD, code)
        await self.confirmations.drop(owner, Purpose.RESET_PASSWORD)
        await self.grants.set_password_hash(owner, encoded)
        await self.sessions.end_sessions(owner)
        await self.grants.revoke_refresh_grants(owner)

    async def hashed(self, new: str) -> str:
        """The hash of a password that somebody chose; Invalid."""
        if not MIN_PASSWORD <= len(new) <= MAX_PASSWORD:
            raise Invalid(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        return await self.passwords.hash(new)

    async def set_up_codes(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Begin to set up an authenticator app."""
        await self.sign_in.again(member, form.get("password", ""))
        await self.factor.begin(member.id)
        return Outcome("Add the key to your authenticator app, then enter the code it shows.")

    async def turn_codes_on(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Ask for codes from now on."""
        await self.factor.confirm(member.id, form.get("code", "").replace(" ", ""))
        return Outcome("From now on a code is asked for when you sign in.")

    async def turn_codes_off(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Ask for the password alone from now on."""
        await self.sign_in.again(member, form.get("password", ""))
        await self.factor.turn_off(member.id)
        return Outcome("Codes are off.")

    async def add_passkey(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Keep a passkey that the member's browser has just made for ``challenge``."""
        await self.sign_in.again(member, form.get("password", ""))
        name = form.get("name", "").strip()[:64] or "Passkey"
        await self.passkeys.add(member.id, name, form, form["challenge"])
        return Outcome("From now on a passkey is asked for when you sign in.")

    async def remove_passkey(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Forget a passkey."""
        await self.sign_in.again(member, form.get("password", ""))
        await self.passkeys.remove(member.id, form.get("passkey", ""))
        return Outcome("The passkey is removed.")

    async def change_handle(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Change the handle."""
        changed = await self.accounts.set_handle(member, form.get("handle", "").strip())
        return Outcome(f"You are now {changed.handle}.")

    async def change_address(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Change the fediverse address."""
        changed = await self.addresses.change(member, form.get("address", ""))
        return Outcome(f"In the fediverse you are now @{changed.acct}.")

    async def rest(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Let the account rest."""
        await self.sign_in.again(member, form.get("password", ""))
        await self.accounts.set_standing(_as(member), member.id, Standing.DEACTIVATED)
        return Outcome("Your account is resting.")

    async def wake_up(self, member: Member, _: Mapping[str, str]) -> Outcome:
        """Let a resting account return, unless its identity has moved elsewhere."""
        if member.standing is not Standing.DEACTIVATED:
            raise Forbidden("Your account does not rest.")
        await self.check_lives_here(member)
        await self.accounts.set_standing(_as(member), member.id, Standing.ACTIVE)
        return Outcome("Your account is back.")

    async def change_email(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """A confirmed address is only changed with a code that was sent to it."""
        await self.sign_in.again(member, form.get("password", ""))
        email = self.accounts.parse_email(form.get("email", "").strip())
        if member.email_confirmed:
            code = form.get("code", "").strip()
            self.confirmations.check(member.id, Purpose.UPDATE_EMAIL, code)
        await self.accounts.set_email(member.id, email)
        await self.confirmations.drop(member.id)
        return Outcome(f"Your email address is now {email}.")

    async def mail_email_code(self, member: Member, _: Mapping[str, str]) -> Outcome:
        """Mail the code that the next step wants: to change the address, or to confirm it."""
        purpose = Purpose.UPDATE_EMAIL if member.email_confirmed else Purpose.CONFIRM_EMAIL
        await self.confirmations.send(member, purpose)
        return Outcome(f"A code is on its way to {member.email}.")

    async def confirm_email(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Take the code from the mail."""
        code = form.get("code", "").strip()
        self.confirmations.check(member.id, Purpose.CONFIRM_EMAIL, code)
        await self.accounts.confirm_email(member)
        await self.confirmations.drop(member.id, Purpose.CONFIRM_EMAIL)
        return Outcome("Your email address is confirmed.")

    async def mail_delete_code(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Mail the code that ends the account."""
        await self.sign_in.again(member, form.get("password", ""))
        await self.confirmations.send(member, Purpose.DELETE_ACCOUNT)
        return Outcome(f"A code is on its way to {member.email}. With it you can delete all.")

    async def delete(self, member: Member, form: Mapping[str, str]) -> Outcome:
        """Delete everything, with password and code."""
        await self.sign_in.again(member, form.get("password", ""))
        code = form.get("code", "").strip()
        self.confirmations.check(member.id, Purpose.DELETE_ACCOUNT, code)
        await self.farewell.delete(member.id)
        return Outcome("Your account and all that was in it is deleted.", is_over=True)


def _as(member: Member) -> Agent:
    return Agent(Credential.SESSION, member.id, member.webid)
